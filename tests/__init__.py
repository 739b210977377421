"""What must hold. A regular package, as peers of the benchmarks install another one named so."""
