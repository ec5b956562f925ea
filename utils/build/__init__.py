"""From chapter.md and the reference module to the notebooks a learner opens."""
