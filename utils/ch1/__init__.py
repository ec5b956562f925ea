"""What the notebook of chapter 1 is given beside its exercises: the text, the levels to beat, figures and games."""
