import Crypto
import Registry

/// An edge, and where clients reach it.
package struct EdgePlace: Hashable, Sendable {
    package let name: String
    package let region: String
    /// Where it is reached, best by its own address; without a final slash, as `publicURL`.
    package let url: String
    /// May be a name that all edges share.
    package let publicURL: String
    package let isConnected: Bool

    /// - Parameter ownURL: what the edge reports as its own address. It leads to the edge that was chosen, so it is taken
    ///   unless it is one of the edge's own machine, or without the encryption that the public one has.
    package init(name: String, region: String, publicURL: String, ownURL: String? = nil, isConnected: Bool = true) {
        let secure = "https://"
        let own = ownURL.flatMap { own in
            !NearestEdge.isLocal(own) && (own.hasPrefix(secure) || !publicURL.hasPrefix(secure)) ? own : nil
        }
        self.name = name
        self.region = region
        self.url = Self.trimmed(own ?? publicURL)
        self.publicURL = Self.trimmed(publicURL)
        self.isConnected = isConnected
    }

    private static func trimmed(_ url: String) -> String { url.hasSuffix("/") ? String(url.dropLast()) : url }
}

/// Which edge a client is sent to. Pure.
///
/// | situation                                       | choice                                              |
/// |-------------------------------------------------|-----------------------------------------------------|
/// | edges in the client's region                    | one of these, by the file's checksum                |
/// | none there, or the region is not known          | one of all, by the file's checksum                  |
/// | an edge that is not connected                   | never chosen                                        |
/// | an address of this machine, for a client elsewhere | never chosen: `http://127.0.0.1` leads nowhere there |
/// | several edges under one address (DNS, anycast)  | whichever of them answers: signed for any edge      |
///
/// By rendezvous hashing: each file has its edge, so that caches don't all hold everything, and an edge that goes or
/// comes moves only the files that are its own.
struct NearestEdge: Hashable {
    let url: String
    /// For the signature: the edge's name, or `*`.
    let audience: String

    /// - Parameters:
    ///   - edges: all that are not revoked: also one that can't be chosen may answer for a shared address.
    ///   - only: the name of the one edge that may be chosen; nil: any.
    init?(
        among edges: [EdgePlace], only: String? = nil, clientRegion: String?, isClientLocal: Bool,
        for checksum: Checksum
    ) {
        let reachable = edges.filter { edge in
            edge.isConnected && (only == nil || edge.name == only) && (isClientLocal || !Self.isLocal(edge.url))
        }
        let near = reachable.filter { clientRegion != nil && $0.region == clientRegion }
        let best = (near.isEmpty ? reachable : near).max { left, right in
            let (one, other) = (Self.weight(left, checksum), Self.weight(right, checksum))
            return one == other ? left.name < right.name : one < other
        }
        guard let best else { return nil }
        url = best.url
        let isShared = edges.contains { $0.name != best.name && [$0.url, $0.publicURL].contains(best.url) }
        audience = isShared ? "*" : best.name
    }

    private static func weight(_ edge: EdgePlace, _ checksum: Checksum) -> UInt64 {
        SHA256.hash(data: checksum.bytes + Array(edge.name.utf8)).prefix(8).reduce(0) { $0 << 8 | UInt64($1) }
    }

    /// - Parameter url: absolute, `http` or `https`.
    static func isLocal(_ url: String) -> Bool {
        guard let start = url.firstRange(of: "://")?.upperBound else { return false }
        let host = url[start...].prefix { !"/?#".contains($0) }
        // The addresses that mean "every interface" are told by edges whose `public-url` nobody set.
        return ["127.", "0.0.0.0", "[::1]", "[::]", "localhost:"].contains(where: host.hasPrefix) || host == "localhost"
    }
}
