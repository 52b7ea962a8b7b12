"""What Evenhand costs beside the bare engine, in one run on one server (make bench). Figures are ratios; none of them is a test."""
