"""Files that run inside the sandbox. Their text is sent to the zygote; nothing here is imported by the trusted side."""
