"""What the notebook of chapter 2 is given beside its exercises: a trained head to play with, and figures."""
