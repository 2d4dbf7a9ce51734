"""Where the boxes of a figure stand, and which ways the lines between them take."""
