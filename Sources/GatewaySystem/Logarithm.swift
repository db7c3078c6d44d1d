// The one function of the C library's mathematics that Swift has no name of its own for.

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

extension Double {
    /// The natural logarithm.
    package var naturalLogarithm: Double { log(self) }
}
