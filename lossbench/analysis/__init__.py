"""From run folders to a frame, and from the frame to statistics: pure functions that need no TensorFlow."""
