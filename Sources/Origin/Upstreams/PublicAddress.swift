#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// Which addresses belong to the public internet: others are reached only through an upstream that allows them, so that
/// a name which resolves to this machine or its network opens nothing inside.
///
/// Source: the special-purpose address registries of IANA (RFC 6890).
enum PublicAddress {
    /// - Parameter text: as numbers, like `127.0.0.1` or `fe80::1`; anything else is no public address.
    static func holds(_ text: String) -> Bool {
        var v4 = [UInt8](repeating: 0, count: 4)
        if inet_pton(AF_INET, text, &v4) == 1 { return isPublic(v4: v4) }
        var v6 = [UInt8](repeating: 0, count: 16)
        return inet_pton(AF_INET6, text, &v6) == 1 && isPublic(v6: v6)
    }

    private static func isPublic(v4 part: [UInt8]) -> Bool {
        switch (part[0], part[1], part[2]) {
        case (0, _, _), (10, _, _), (127, _, _), (224..., _, _): false
        case (100, 64...127, _), (169, 254, _), (172, 16...31, _): false
        case (192, 0, 0), (192, 0, 2), (192, 168, _), (198, 18...19, _), (198, 51, 100), (203, 0, 113): false
        default: true
        }
    }

    private static func isPublic(v6 part: [UInt8]) -> Bool {
        // ::ffff:a.b.c.d and 64:ff9b::a.b.c.d mean an IPv4 address; 2002:: carries one.
        if part[..<10].allSatisfy({ $0 == 0 }), part[10] == 0xff, part[11] == 0xff {
            return isPublic(v4: Array(part[12...]))
        }
        if part.starts(with: [0, 0x64, 0xff, 0x9b]), part[4..<12].allSatisfy({ $0 == 0 }) {
            return isPublic(v4: Array(part[12...]))
        }
        if part.starts(with: [0x20, 0x02]) { return isPublic(v4: Array(part[2..<6])) }
        // Of what is left, only 2000::/3 is given out; 2001:db8:: is for books.
        return part[0] & 0xe0 == 0x20 && !part.starts(with: [0x20, 0x01, 0x0d, 0xb8])
    }
}
