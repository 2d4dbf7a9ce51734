"""What is to be seen of a network: boxes, and the values between them, without places."""
