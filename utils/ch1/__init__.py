"""What the notebook of chapter 1 is given besides its exercises: the text, the levels to beat, figures and games."""
