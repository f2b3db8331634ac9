from __future__ import annotations

import pickle

import pytest

from stream_server.ingest.files.unusable import UnusableError
from stream_server.problem import ProblemError, problem_document


def test_a_document_says_status_and_detail() -> None:
    assert problem_document(404, "no such thing", code="gone") == {
        "type": "about:blank",
        "title": "Not Found",
        "status": 404,
        "detail": "no such thing",
        "code": "gone",
    }


def test_an_unknown_status_is_a_bug() -> None:
    with pytest.raises(ValueError, match="799"):
        problem_document(799, "what")


def test_an_error_is_its_document() -> None:
    error = ProblemError(409, "not now", tries_left=2)
    assert str(error) == "not now"
    assert error.problem() == problem_document(409, "not now", tries_left=2)


def test_an_unusable_input_keeps_its_document_between_processes() -> None:
    error = pickle.loads(pickle.dumps(UnusableError("empty", "the file is empty", 415)))
    assert error.problem() == problem_document(415, "the file is empty", code="empty")
