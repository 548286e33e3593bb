"""What is sent: measured, mended, made to fit, and how its answer will be read."""
