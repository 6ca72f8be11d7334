/// The parts of an absolute `http` or `https` address that `doctor` compares.
struct WebPlace: Hashable, Sendable {
    let scheme: String
    /// Lower case, without brackets.
    let host: String
    let port: Int
    /// From its first slash on; empty if there is none.
    let path: String
    let hasCredentials: Bool

    /// - Returns: nil for any other text; markers such as `{crate}` may stand in the path.
    init?(_ text: String) {
        let scheme = ["https", "http"].first { text.hasPrefix($0 + "://") }
        guard let scheme else { return nil }
        let rest = text.dropFirst(scheme.count + 3)
        let authority = rest.prefix { $0 != "/" && $0 != "?" && $0 != "#" }
        let at = authority.lastIndex(of: "@")
        let address = at.map { authority[authority.index(after: $0)...] } ?? authority
        let isBracketed = address.hasPrefix("[")
        let hostEnd = isBracketed ? address.firstIndex(of: "]") : address.firstIndex(of: ":") ?? address.endIndex
        guard let hostEnd else { return nil }
        let host = isBracketed ? address[..<hostEnd].dropFirst() : address[..<hostEnd]
        let port = address[hostEnd...].drop { $0 == "]" }
        guard !host.isEmpty, port.isEmpty || port.hasPrefix(":") else { return nil }
        guard let number = port.isEmpty ? (scheme == "https" ? 443 : 80) : Int(port.dropFirst()) else { return nil }
        self.scheme = scheme
        self.host = host.lowercased()
        self.port = number
        self.path = String(rest[authority.endIndex...].prefix { $0 != "?" && $0 != "#" })
        hasCredentials = at != nil
    }

    /// `https://host:port`, the port only if it is not the scheme's own.
    var origin: String {
        let name = host.contains(":") ? "[\(host)]" : host
        return "\(scheme)://\(name)" + (port == (scheme == "https" ? 443 : 80) ? "" : ":\(port)")
    }

    /// An address that only this machine reaches.
    var isLoopback: Bool {
        host == "localhost" || host.hasPrefix("127.") || host == "::1" || host == "0.0.0.0" || host == "::"
    }
}
