"""The three related ideas of lessons 08 to 10, small and real. Needs the extra `companions`."""
