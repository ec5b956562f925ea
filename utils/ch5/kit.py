"""Everything that the notebooks of chapter 5 are given: `from utils.ch5.kit import *`."""

from utils.ch5 import figures
from utils.ch5.shipped import shipped
