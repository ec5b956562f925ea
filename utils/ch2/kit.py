"""Everything that the notebook of chapter 2 is given: `from utils.ch2.kit import *`."""

from utils.ch2 import figures
from utils.ch2.head import read
