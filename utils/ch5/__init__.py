"""What the notebooks of chapter 5 are given beside their exercises: two trained networks, and the figures."""
