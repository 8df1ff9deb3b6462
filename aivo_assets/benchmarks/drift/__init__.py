"""Whether drift is found when it is there, and not when it is not."""
