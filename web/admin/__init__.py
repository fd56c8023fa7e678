"""The pages of whoever runs the shop."""
