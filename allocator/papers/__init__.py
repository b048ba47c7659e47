"""Papers: a study described in a file, run, written as tables and figures, and verified from its manifest."""

from allocator.papers.reproduction import Reproduction, reproduce
from allocator.papers.verification import Verification, verify

__all__ = ["Reproduction", "Verification", "reproduce", "verify"]
