"""What can be done: one public function is one business action."""
