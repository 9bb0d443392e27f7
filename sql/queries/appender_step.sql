UPDATE trip SET version = ?4, steps = ?5, capture_state = ?3, intended = ?15
WHERE id = ?1 AND status = ?2 AND act_by IS ?6 AND cart_total = ?7
  AND captured = ?8 AND bad_debt = ?9 AND cancelled = ?10 AND in_doubt = ?11 AND open = ?12
  AND recovered = ?13 AND written_off = ?14 AND last_books_date = ?16
