#if canImport(Darwin)
    import Darwin
#elseif canImport(Musl)
    import Musl
#else
    import Glibc
#endif

/// Which IP addresses lead into somebody's own network rather than to the public: this machine, private and link-local
/// ranges, multicast, and what else no public server has.
///
/// For URLs that somebody else than the operator of this machine gave us. Source: the IANA special-purpose registries,
/// RFC 6890 and RFC 8190.
package enum PrivateAddress {
    /// True also for what is no IP address, since nothing can be said of it.
    package static func isPrivate(_ text: String) -> Bool {
        if let bytes = bytes(text, family: AF_INET, count: 4) { return isPrivate4(bytes) }
        // A zone (`fe80::1%eth0`) makes it link-local at best.
        guard !text.contains("%"), let bytes = bytes(text, family: AF_INET6, count: 16) else { return true }
        return isPrivate6(bytes)
    }

    private static func isPrivate4(_ bytes: [UInt8]) -> Bool {
        switch (bytes[0], bytes[1], bytes[2]) {
        case (0, _, _), (10, _, _), (127, _, _): true
        // Shared by carriers; 169.254.169.254 is where clouds keep their credentials.
        case (100, 64...127, _), (169, 254, _), (172, 16...31, _), (192, 168, _): true
        case (192, 0, 0), (192, 0, 2), (198, 18...19, _), (198, 51, 100), (203, 0, 113), (192, 88, 99): true
        case (224..., _, _): true
        default: false
        }
    }

    private static func isPrivate6(_ bytes: [UInt8]) -> Bool {
        let front = Array(bytes[..<12])
        // IPv4 in its clothes: ::ffff:a.b.c.d, ::a.b.c.d (also :: and ::1), 64:ff9b::a.b.c.d.
        let mapped = [UInt8](repeating: 0, count: 10) + [0xff, 0xff]
        let translated: [UInt8] = [0, 0x64, 0xff, 0x9b] + [UInt8](repeating: 0, count: 8)
        if front == mapped || front == translated { return isPrivate4(Array(bytes[12...])) }
        if front.allSatisfy({ $0 == 0 }) { return true }
        // 6to4 carries an IPv4 address of its own.
        if bytes[0] == 0x20, bytes[1] == 0x02 { return isPrivate4(Array(bytes[2..<6])) }
        // Only 2000::/3 is given out; of that, Teredo and the examples of documents are nobody's.
        guard bytes[0] & 0xe0 == 0x20 else { return true }
        if bytes[0] == 0x20, bytes[1] == 0x01 {
            return (bytes[2] < 0x02) || (bytes[2] == 0x0d && bytes[3] == 0xb8)
        }
        return bytes[0] == 0x3f && bytes[1] == 0xff && bytes[2] & 0xf0 == 0
    }

    private static func bytes(_ text: String, family: Int32, count: Int) -> [UInt8]? {
        var bytes = [UInt8](repeating: 0, count: count)
        return inet_pton(family, text, &bytes) == 1 ? bytes : nil
    }
}
