"""Predict, in a real JupyterLab: mouse, keyboard, code, and what the page may know when."""

from typing import Any

import pytest
from browsers import expect

# The texts to hide are written backwards: the page shows the cell's source too.
QUESTION = """
from liif_core.widgets import Predict
explanation, reason = "NOITANALPXE-TERCES"[::-1], "NOSAER-TERCES"[::-1]
question = Predict(
    "Which method keeps the edge crispest at ×6?",
    ["nearest", "bicubic", "LIIF"],
    answer=2,
    explain=f"The measured edge is 1.3 pixels wide: {explanation}.",
    why_not={0: f"It looks sharp, yet {reason}.", 1: "It is smooth."},
)
question
"""


def widget(shown: Any) -> Any:
    """Return the widget's root, once it is there."""
    root = shown.page.locator(".liif-predict")
    root.wait_for()
    return root


@pytest.mark.parametrize("app", ["lab", "notebook"])
def test_mouse(open_notebook: Any, app: str) -> None:
    shown = open_notebook(QUESTION, "question.choice, question.right", app=app)
    shown.run()
    root = widget(shown)
    button = root.get_by_role("button")
    assert button.inner_text() == "Commit"
    expect(button).to_be_disabled()  # nothing is chosen yet
    assert "SECRET" not in shown.page.content()
    root.get_by_label("nearest").check()
    button.click()
    root.get_by_text("SECRET-EXPLANATION").wait_for()
    expect(root.get_by_text("SECRET-REASON")).to_be_visible()
    assert "✗ your choice" in root.locator("label").nth(0).inner_text()
    assert "✓ measured" in root.locator("label").nth(2).inner_text()
    shown.run(1)
    assert "(0, False)" in shown.output(1)

    button.click()  # choose again: no verdict stands beside a choice that it was not about
    assert button.inner_text() == "Commit"
    assert root.get_by_text("SECRET").count() == 0
    assert root.locator(".liif-verdict").inner_text() == ""
    expect(root.locator(".liif-revealed")).to_be_hidden()
    assert root.locator(".liif-mark").all_inner_texts() == ["", "", ""]
    root.get_by_label("LIIF").check()
    button.click()
    root.get_by_text("✓ Right: LIIF").wait_for()
    assert root.get_by_text("SECRET-REASON").count() == 0
    shown.run(1)
    assert "(2, True)" in shown.output(1)


def test_same_choice_twice(open_notebook: Any) -> None:
    shown = open_notebook(QUESTION, "question.commits")
    shown.run()
    root = widget(shown)
    root.get_by_label("bicubic").check()
    root.get_by_role("button", name="Commit").click()
    root.get_by_role("button", name="Choose again").click()
    root.get_by_role("button", name="Commit").click()
    root.get_by_text("It is smooth.").wait_for()
    shown.run(1)
    assert "2" in shown.output(1)


def test_keyboard_stays_with_the_widget(open_notebook: Any) -> None:
    shown = open_notebook(QUESTION, "1 + 1")
    shown.run()
    root = widget(shown)
    root.get_by_role("radio").first.focus()
    shown.page.keyboard.press("Space")
    shown.page.keyboard.press("ArrowDown")
    expect(root.get_by_label("bicubic")).to_be_checked()
    shown.page.keyboard.press("Tab")
    shown.page.keyboard.press("Enter")
    root.get_by_text("SECRET-EXPLANATION").wait_for()
    assert shown.page.locator(".jp-CodeCell").count() == 2  # no key went to the notebook


def test_two_questions_leave_one_another_alone(open_notebook: Any) -> None:
    second = QUESTION.replace("question = ", "other = ").removesuffix("question\n") + "other\n"
    shown = open_notebook(QUESTION, second, "question.choice, other.choice")
    for cell in (0, 1):
        shown.run(cell)
    roots = [shown.page.locator(".liif-predict").nth(number) for number in (0, 1)]
    roots[1].wait_for()
    roots[0].get_by_label("nearest").check()
    roots[1].get_by_label("LIIF").check()
    expect(roots[0].get_by_label("nearest")).to_be_checked()
    roots[1].get_by_label("LIIF").focus()
    shown.page.keyboard.press("ArrowDown")  # round to its own first choice, not to the other's
    expect(roots[1].get_by_label("nearest")).to_be_checked()
    for root in roots:
        root.get_by_role("button", name="Commit").click()
        root.get_by_text("✗ Not this one. Measured: LIIF").wait_for()
    roots[0].get_by_role("button", name="Choose again").click()
    roots[0].get_by_label("bicubic").check()
    roots[0].get_by_role("button", name="Commit").click()
    roots[0].get_by_text("It is smooth.").wait_for()
    expect(roots[1].get_by_label("nearest")).to_be_checked()
    shown.run(2)
    assert "(1, 0)" in shown.output(2)


def test_the_answer_revealed_below_leaves_the_question_alone(open_notebook: Any) -> None:
    shown = open_notebook(QUESTION, "print(question.reveal())", "question.choice, question.right")
    shown.run()
    root = widget(shown)
    shown.run(1)  # before the reader has chosen
    assert "Answer: LIIF" in shown.output(1)
    button = root.get_by_role("button")
    assert button.inner_text() == "Commit"
    assert root.get_by_role("radio", checked=True).count() == 0
    root.get_by_label("nearest").check()
    button.click()
    root.get_by_text("✗ Not this one. Measured: LIIF").wait_for()
    shown.run(1)  # and after
    shown.run(2)
    assert "(0, False)" in shown.output(2)
    expect(root.get_by_label("nearest")).to_be_checked()
    expect(root.get_by_text("✗ Not this one. Measured: LIIF")).to_be_visible()


def test_from_code(open_notebook: Any) -> None:
    shown = open_notebook(QUESTION, "print(question.commit(question.answer))")
    shown.run()
    root = widget(shown)
    shown.run(1)
    assert "✓ Right: LIIF" in shown.output(1)
    root.get_by_text("SECRET-EXPLANATION").wait_for()
    expect(root.get_by_label("LIIF")).to_be_checked()


def test_for_those_who_listen(open_notebook: Any) -> None:
    shown = open_notebook(QUESTION)
    shown.run()
    root = widget(shown)
    assert (
        root.get_by_role("group", name="Which method keeps the edge crispest at ×6?").count() == 1
    )
    assert root.get_by_role("radio").count() == 3
    assert root.locator("[aria-live=polite]").count() == 1


def test_a_stopped_kernel_is_told(open_notebook: Any) -> None:
    shown = open_notebook(QUESTION, "import os; os._exit(1)", "'as new'")
    shown.run()
    root = widget(shown)
    shown.page.locator(".jp-CodeCell .cm-content").nth(1).click()
    shown.page.keyboard.press("Shift+Enter")
    shown.page.locator(".jp-Dialog").get_by_role(
        "button", name="Ok"
    ).click()  # "the kernel has died, and will restart"
    root.get_by_label("LIIF").check()
    root.get_by_role("button", name="Commit").click()
    root.get_by_text("No answer from the kernel").wait_for()
    expect(root.get_by_role("button", name="Commit")).to_be_enabled()
    shown.errors.clear()  # Jupyter's own, about the dead kernel

    shown.run(2)  # so that the question's cell gets another number than before
    shown.run(0)
    root.get_by_label("LIIF").check()
    root.get_by_role("button", name="Commit").click()
    root.get_by_text("✓ Right: LIIF").wait_for()
