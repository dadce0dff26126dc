"""What a pupil has done in the course: noted as it happens, shown, handed in, graded."""
