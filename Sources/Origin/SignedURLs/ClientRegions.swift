#if canImport(Darwin)
    import Darwin
#elseif canImport(Musl)
    import Musl
#else
    import Glibc
#endif

/// Which region a client is in, by its address: `10.1.0.0/16=eu,2001:db8::/32=us`. The longest prefix wins.
struct ClientRegions: Hashable, Sendable {
    private static let countMax = 10_000

    struct Invalid: Error, Hashable, CustomStringConvertible {
        let description: String
    }

    private struct Network: Hashable {
        let address: [UInt8]
        let bits: Int
        let region: String
    }

    private let networks: [Network]

    /// - Parameter text: nil or empty maps nobody anywhere.
    init(_ text: String?) throws(Invalid) {
        let entries = (text ?? "").split(separator: ",").map { $0.filter { $0 != " " } }.filter { !$0.isEmpty }
        guard entries.count <= Self.countMax else {
            throw Invalid(description: "`client-regions` has more than \(Self.countMax) networks")
        }
        var networks: [Network] = []
        for entry in entries { networks.append(try Self.network(entry)) }
        // The first that fits is then the longest.
        self.networks = networks.sorted { $0.bits > $1.bits }
    }

    /// - Parameter address: IPv4 or IPv6 as text; nil for anything else.
    func region(of address: String?) -> String? {
        guard let bytes = address.flatMap(Self.bytes) else { return nil }
        return networks.first { network in
            network.address.count == bytes.count && Self.isEqual(network.address, bytes, bits: network.bits)
        }?.region
    }

    private static func network(_ entry: String) throws(Invalid) -> Network {
        let halves = entry.split(separator: "=", omittingEmptySubsequences: false)
        let parts = (halves.first ?? "").split(separator: "/", omittingEmptySubsequences: false)
        guard halves.count == 2, !halves[1].isEmpty, parts.count == 2, let address = bytes(String(parts[0])),
            let bits = UInt8(parts[1]), Int(bits) <= address.count * 8
        else {
            throw Invalid(
                description: "`client-regions` takes networks and regions such as `10.1.0.0/16=eu,2001:db8::/32=us`; "
                    + "`\(entry.prefix(80))` is none")
        }
        return Network(address: address, bits: Int(bits), region: String(halves[1]))
    }

    private static func isEqual(_ left: [UInt8], _ right: [UInt8], bits: Int) -> Bool {
        let whole = bits / 8
        guard left.prefix(whole) == right.prefix(whole) else { return false }
        let rest = bits % 8
        guard rest > 0 else { return true }
        return left[whole] >> (8 - rest) == right[whole] >> (8 - rest)
    }

    /// 4 or 16 bytes; an IPv4 address in the clothes of IPv6 counts as IPv4.
    private static func bytes(_ text: String) -> [UInt8]? {
        if let short = bytes(text, of: AF_INET, count: 4) { return short }
        guard let long = bytes(text, of: AF_INET6, count: 16) else { return nil }
        let mapped = [UInt8](repeating: 0, count: 10) + [0xFF, 0xFF]
        return long.starts(with: mapped) ? Array(long.suffix(4)) : long
    }

    private static func bytes(_ text: String, of family: CInt, count: Int) -> [UInt8]? {
        var bytes = [UInt8](repeating: 0, count: count)
        return inet_pton(family, text, &bytes) == 1 ? bytes : nil
    }
}
