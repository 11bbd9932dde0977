-- Empties a cart.
delete from cart_line where user_id = ?1
