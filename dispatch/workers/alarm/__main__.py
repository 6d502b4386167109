"""The receiver's own process, as `dispatch alarm` becomes it."""

import sys

from dispatch.workers import alarm

sys.exit(alarm.main())
