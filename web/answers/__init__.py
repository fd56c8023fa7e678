"""What every answer has, whatever it says: headers, compression, timing, languages of errors."""
