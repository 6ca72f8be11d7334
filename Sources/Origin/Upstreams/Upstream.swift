package import Registry

/// Another registry that a repository reads through.
package struct Upstream: Hashable, Sendable {
    package let id: Int64
    package let name: String
    package let index: UpstreamIndex
    package let filter: UpstreamFilter
    /// How long an answer is taken for current.
    package let freshSeconds: Int
    /// True: it may be at a loopback, private or link-local address.
    package let privateAllowed: Bool
    /// Hosts besides its own that its downloads may be sent to, and that may see its credential if it asks for that.
    let alsoHosts: [UpstreamHost]
    /// Opened with `UpstreamCredential.purpose`; nil: it is asked without a credential.
    let sealedCredential: [UInt8]?
}

/// Which names an upstream is asked for: those that `include` covers and `exclude` does not.
package struct UpstreamFilter: Hashable, Sendable {
    let include: [CratePattern]
    let exclude: [CratePattern]

    package init(include: [CratePattern] = [.everything], exclude: [CratePattern] = []) {
        self.include = include
        self.exclude = exclude
    }

    func covers(_ name: CrateName) -> Bool {
        include.contains { $0.covers(name) } && !exclude.contains { $0.covers(name) }
    }
}

/// What an upstream wants to see in `Authorization`: a secret, stored sealed and never shown.
package struct UpstreamCredential: Sendable {
    static let bytesMax = 4096

    let text: String

    /// - Parameter text: as it goes into the header, such as a bare token or `Bearer …`; white space around it is dropped.
    /// - Returns: nil for what a header can't hold, or is longer than 4096 bytes.
    package init?(_ text: String) {
        let bytes = Array(text.utf8)
        let isSpace = { (byte: UInt8) in byte == 32 || (9...13).contains(byte) }
        let trimmed = bytes.drop(while: isSpace).reversed().drop(while: isSpace).reversed()
        guard (1...Self.bytesMax).contains(trimmed.count), trimmed.allSatisfy({ (32...126).contains($0) })
        else { return nil }
        self.text = String(decoding: trimmed, as: UTF8.self)
    }

    /// What it is sealed for, so that no other secret can be put in its place.
    static func purpose(_ upstream: Int64) -> String { "upstream \(upstream)" }
}

extension Upstream {
    /// - Throws: `UpstreamFault` for a credential that this origin can't open: then it is not asked at all.
    func credential(_ seal: KeySeal?) throws(UpstreamFault) -> String? {
        guard let sealedCredential else { return nil }
        guard let seal else { throw UpstreamFault("its credential can't be opened without the signing secret") }
        do {
            return String(decoding: try seal.open(sealedCredential, for: UpstreamCredential.purpose(id)), as: UTF8.self)
        } catch {
            throw UpstreamFault("\(error)")
        }
    }
}
