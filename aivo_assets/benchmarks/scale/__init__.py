"""What the work on learners costs by size of the lake and by engine: `aivo benchmark scale`."""
