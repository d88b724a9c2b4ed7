"""Payment gateways behind one port: each adapter knows one of them, and nothing of invoices."""
