"""Whether the main brain serves groups alike. Belongs here: real groups, and schools whose bias is known."""
