"""What the notebooks of chapter 3 are given beside the language: the plan of a compiled program, and its model."""
