"""Work that falls due by itself: a worker claims it, does it, and plans what comes next."""
