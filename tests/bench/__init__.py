"""`make bench`: every speed and memory goal as a ratio against its peer, both timed in this run on this machine."""
