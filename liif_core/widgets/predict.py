"""Predict, then reveal: commit to an answer before the measurement is shown."""

import html
import operator
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

from traitlets import Bool, Int, List, Unicode

from liif_core.classwork.records import note_prediction
from liif_core.errors import LiifError
from liif_core.widgets.assets import module, style
from liif_core.widgets.still_widget import StillWidget
from liif_core.wrapping import wrapped


class Predict(StillWidget):
    """A question with 2–5 choices; the measured answer is revealed after a commitment.

    The reader may choose again, to read why another choice is wrong; the last commitment counts.
    Until the first one, neither the answer nor its explanation is sent to the browser. Without a
    kernel the question and its choices are shown, and the answer inside `<details>`.

    Args:
        question: what is asked, as plain text.
        choices: 2 to 5 different answers, as plain text.
        answer: the index of the right one.
        explain: what was measured, and why; shown after every commitment.
        why_not: index of a wrong choice -> why it is tempting and wrong.

    Raises:
        LiifError: a text is empty, there are too few or too many choices, or an index is not one
            of the choices.
    """

    _esm = module("predict.js")
    _css = style("predict.css")
    kind = "predict"

    question = Unicode().tag(sync=True)
    choices = List(Unicode()).tag(sync=True)
    #: The choice last committed to, whether it was right, and what it revealed.
    choice = Int(None, allow_none=True).tag(sync=True)
    right = Bool(None, allow_none=True).tag(sync=True)
    revealed = Unicode().tag(sync=True)
    #: The right index, in the browser's hands only after a commitment.
    measured = Int(None, allow_none=True).tag(sync=True)
    #: Changes at every commitment, also at the same one again: the browser waits for it.
    commits = Int(0).tag(sync=True)

    def __init__(
        self,
        question: str,
        choices: Sequence[str],
        *,
        answer: int,
        explain: str,
        why_not: Mapping[int, str] = MappingProxyType({}),
    ) -> None:
        check_texts(question, choices, explain)
        self._answer = checked_index(answer, choices, "the answer")
        self._explain = explain
        self._why_not = checked_reasons(why_not, choices, self._answer)
        super().__init__(question=question, choices=list(choices))
        self.on_msg(self._receive)

    @property
    def answer(self) -> int:
        """The index of the right choice."""
        return self._answer

    def commit(self, choice: int) -> str:
        """Commit to a choice, as the button does, and return the text that it reveals.

        Args:
            choice: index of one of the choices.

        Returns:
            The verdict on the first line; then, for a wrong choice, why it is wrong; then the
            explanation.

        Raises:
            LiifError: `choice` is not the index of a choice.
        """
        choice = checked_index(choice, self.choices, "the choice")
        right = choice == self._answer
        with self.hold_sync():
            self.choice, self.right, self.measured = choice, right, self._answer
            self.revealed = self._text_for(choice)
            self.commits += 1
        return self.revealed

    def reveal(self) -> str:
        """Return the measured answer and why, whatever the reader chose, if anything.

        Nothing of the widget changes, neither the reader's choice nor its verdict: so a lesson
        prints this below its question, before and after a commitment alike.

        Returns:
            The answer on the first line; then the explanation. Long lines are broken between
            words, which a notebook's printed output would break inside them.
        """
        return wrapped(f"Answer: {self.choices[self._answer]}\n{self._explain}")

    def _text_for(self, choice: int) -> str:
        answer = self.choices[self._answer]
        if choice == self._answer:
            return f"✓ Right: {answer}\n{self._explain}"
        lines = [
            f"✗ Not this one. Measured: {answer}",
            self._why_not.get(choice, ""),
            self._explain,
        ]
        return "\n".join(line for line in lines if line)

    def _receive(self, _widget: object, content: dict[str, Any], _buffers: object) -> None:
        if content.get("type") == "commit":
            choice = checked_index(content["choice"], self.choices, "the choice")
            self.commit(choice)
            note_prediction(self.question, self.choices[choice], right=choice == self._answer)

    def living(self) -> dict[str, Any]:
        """Return the question, its answer, and what each choice reveals."""
        return {
            "question": self.question,
            "choices": self.choices,
            "answer": self._answer,
            "reveals": [self._text_for(choice) for choice in range(len(self.choices))],
        }

    def __repr__(self) -> str:
        return f"Predict({self.question!r}, {len(self.choices)} choices)"

    def still(self) -> str:
        """Return the question as a page without a kernel shows it: the answer folded away."""
        items = "".join(f"<li>{html.escape(text)}</li>" for text in self.choices)
        wrong = "".join(
            f"<p>✗ <em>{html.escape(self.choices[index])}</em>: {as_html(text)}</p>"
            for index, text in sorted(self._why_not.items())
        )
        return (
            f"<div><p><strong>{as_html(self.question)}</strong></p>"
            f'<ol type="A">{items}</ol>'
            "<details><summary>Choose first, then open: the measured answer</summary>"
            f"<p>✓ <strong>{html.escape(self.choices[self._answer])}</strong></p>"
            f"<p>{as_html(self._explain)}</p>{wrong}</details></div>"
        )


def as_html(text: str) -> str:
    """Return plain text as HTML, its line breaks kept."""
    return html.escape(text).replace("\n", "<br>")


def check_texts(question: str, choices: Sequence[str], explain: str) -> None:
    """Raise LiifError unless there is a question, 2–5 different choices and an explanation."""
    if not question.strip():
        raise LiifError("the question is empty: say what the reader should predict")
    if isinstance(choices, str) or not 2 <= len(choices) <= 5:
        raise LiifError(f"a question needs 2 to 5 choices, as a list of texts, got {choices!r}")
    if not all(isinstance(text, str) and text.strip() for text in choices):
        raise LiifError(f"every choice must be a text that is not empty, got {list(choices)!r}")
    if len(set(choices)) < len(choices):
        raise LiifError(f"two choices are the same: {list(choices)!r}")
    if not explain.strip():
        raise LiifError("the explanation is empty: say what was measured, and why")


def checked_index(index: int, choices: Sequence[str], what: str) -> int:
    """Return `index` as an int; raise LiifError if it is not the index of a choice."""
    try:
        number = operator.index(index)
    except TypeError:
        number = -1
    if not 0 <= number < len(choices):
        raise LiifError(f"{what} must be an index from 0 to {len(choices) - 1}, got {index!r}")
    return number


def checked_reasons(
    why_not: Mapping[int, str], choices: Sequence[str], answer: int
) -> dict[int, str]:
    """Return `why_not` as a dict; raise LiifError where a key is not a wrong choice."""
    reasons = {checked_index(k, choices, "a key of why_not"): v for k, v in why_not.items()}
    if answer in reasons:
        raise LiifError(
            f"why_not explains choice {answer}, which is the answer: it goes in explain"
        )
    return reasons
