"""Commands about the main brain and its runs: `train`, `registry`, `why`."""
