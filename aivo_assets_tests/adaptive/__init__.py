"""The adaptive stage, told as behaviour."""
