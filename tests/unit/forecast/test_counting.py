"""Bytes and operations of computations whose truth is known."""

from __future__ import annotations

import torch

from src.forecast.counting import count


def test_what_was_there_does_not_count_and_what_is_let_go_is_taken_off() -> None:
    a, b = torch.empty((100, 200), device="meta"), torch.empty((200, 50), device="meta")

    def compute() -> torch.Tensor:
        first = a @ b  # 100 x 50
        second = first + 1
        del first
        third = second.t() * 2  # of a view
        del second
        return third + 1

    counted = count(compute)
    assert counted.peak == 2 * 100 * 50 * 4
    assert counted.flops == 2 * 100 * 200 * 50


def test_who_asks_a_tensor_without_numbers_is_told_that_all_is_plain() -> None:
    asked = []
    count(lambda: asked.append(bool((torch.empty(3, device="meta") == 0).all())))
    assert asked == [True]
