"""What `src.doctor` looks at: each check says what it found, whether a run can work with it, and what to do."""
