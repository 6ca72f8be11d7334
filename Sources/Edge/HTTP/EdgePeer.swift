package import NIOCore

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// The network address at the other end of a connection: 16 bytes without a reference, so that each request can carry it.
///
/// IPv4 addresses are kept as IPv6 maps them, `::ffff:a.b.c.d`; a port is not kept.
package struct EdgePeer: Hashable, Sendable {
    /// All that there is to keep of it: the first and the last eight bytes, as numbers.
    package let high: UInt64
    package let low: UInt64

    /// Nobody knows whose it is.
    package static let unknown = EdgePeer(high: 0, low: 0)

    private static let mapped: UInt64 = 0xffff << 32

    /// One whose numbers were kept.
    package init(high: UInt64, low: UInt64) {
        self.high = high
        self.low = low
    }

    /// - Parameter address: nil, or one that is no network address, is `unknown`.
    package init(_ address: SocketAddress?) {
        switch address {
        case .v4(let address):
            let sent = Self.bytes(.v4(address), from: 4, UInt32.self)
            self.init(high: 0, low: Self.mapped | UInt64(UInt32(bigEndian: sent)))
        case .v6(let address):
            self.init(
                high: UInt64(bigEndian: Self.bytes(.v6(address), from: 8, UInt64.self)),
                low: UInt64(bigEndian: Self.bytes(.v6(address), from: 16, UInt64.self)))
        case .unixDomainSocket, nil:
            self = .unknown
        }
    }

    /// A number of the system's form: in `sockaddr_in` the address begins at 4, in `sockaddr_in6` at 8.
    private static func bytes<Number: BitwiseCopyable>(
        _ address: SocketAddress, from place: Int, _ kind: Number.Type
    ) -> Number {
        address.withSockAddr { pointer, _ in
            UnsafeRawPointer(pointer).loadUnaligned(fromByteOffset: place, as: kind)
        }
    }

    /// `192.0.2.7` or `2001:db8::7`; nil if it is not known.
    package var text: String? {
        guard self != .unknown else { return nil }
        var bytes = (0..<8).map { UInt8(truncatingIfNeeded: high >> (56 - 8 * $0)) }
        bytes += (0..<8).map { UInt8(truncatingIfNeeded: low >> (56 - 8 * $0)) }
        let isMapped = high == 0 && low >> 32 == Self.mapped >> 32
        var text = [CChar](repeating: 0, count: Int(INET6_ADDRSTRLEN))
        let known = bytes.withUnsafeBytes { bytes in
            isMapped
                ? inet_ntop(AF_INET, bytes.baseAddress.map { $0 + 12 }, &text, socklen_t(text.count))
                : inet_ntop(AF_INET6, bytes.baseAddress, &text, socklen_t(text.count))
        }
        guard known != nil else { return nil }
        return String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}
