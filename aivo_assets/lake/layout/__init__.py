"""What a lake was made with, and moving it to another number of shards. Nothing of what its datasets mean."""
