"""What writes a scene, or a figure, as a file."""
