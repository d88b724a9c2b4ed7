"""What comes after the close of its period: an adjustment on the next invoice, or a reason. Figures by hand."""
