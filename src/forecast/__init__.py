"""What a run will take of time, memory and disk, before anything is downloaded or written."""
