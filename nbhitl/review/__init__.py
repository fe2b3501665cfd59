"""Questions, decisions and the session between them: what every view draws. No view is in here."""
