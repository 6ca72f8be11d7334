import Logging
import Registry
import Signing

/// Makes the URLs under which an edge gives a file to whoever holds them.
package struct DownloadLinks: Sendable {
    let keys: SigningKeyStore
    let edges: EdgeStore
    let board: ReplicaBoard
    let tokens: TokenStore
    let seal: KeySeal
    let regions: ClientRegions
    /// Waits until connected edges have heard of the very first key.
    let waitForEdges: @Sendable (UInt64) async -> Void
    let logger: Logger

    /// One file of a repository.
    struct File: Sendable {
        let repository: Repository
        let path: CratePath
    }

    /// Where a download that its holder may read is to go.
    ///
    /// The token is looked at once more, in one snapshot with the position that goes into the URL: a change that came
    /// between the request's arrival and now must end the URL, or have been seen.
    /// - Returns: nil if there is no edge to go to, or nothing to sign with: then the origin serves the bytes itself.
    /// - Throws: a `Refusal` if the token may no longer read it.
    func place(of file: File, for principal: Principal, at client: ClientPlace) async throws -> String? {
        let places = try await places()
        guard
            let edge = NearestEdge(
                among: places, clientRegion: regions.region(of: client.address), isClientLocal: client.isLocal,
                for: file.path.checksum)
        else { return nil }
        let (subject, tokenEnd) = try await subject(of: file, for: principal)
        do {
            let signer = try await signer()
            let expires = min(signer.now + URLClaims.lifeUsual, tokenEnd ?? .max)
            return try sign(file, with: signer, edge, expires: expires, subject)
        } catch let failure as KeySeal.Failure {
            logger.error("downloads are not sent to edges: \(failure)")
            return nil
        }
    }

    /// Where edges are, and which of them are connected to any replica just now.
    func places() async throws -> [EdgePlace] {
        try await edges.places(connected: Set(board.connections().keys))
    }

    /// A link for people: nobody's token stands behind it, so it ends with its time or its key only.
    ///
    /// - Parameter life: seconds, at most `URLClaims.lifeMax`.
    func share(_ file: File, from edge: NearestEdge, life: Int) async throws -> (url: String, isFirst: Bool) {
        precondition((1...URLClaims.lifeMax).contains(life), "the command line checks the life")
        let signer = try await signer()
        let url = try sign(file, with: signer, edge, expires: signer.now + life, .nobody)
        return (url, signer.announced != nil)
    }

    private func signer() async throws -> SigningKeyStore.Signer {
        let signer = try await keys.signer(seal)
        if let position = signer.announced { await waitForEdges(position) }
        return signer
    }

    private func sign(
        _ file: File, with signer: SigningKeyStore.Signer, _ edge: NearestEdge, expires: Int,
        _ subject: URLClaims.Subject
    ) throws -> String {
        let path = URLClaims.path(file.repository.name, file.path)
        let signed = try signer.key.sign(path, expires: expires, audience: edge.audience, subject: subject)
        return edge.url + signed.target
    }

    private func subject(
        of file: File, for principal: Principal
    ) async throws -> (subject: URLClaims.Subject, tokenEnd: Int?) {
        // What anyone may read needs nobody's token.
        guard file.repository.isPrivate, case .token(let holder) = principal else { return (.nobody, nil) }
        let found = try await tokens.standing(id: holder.tokenID)
        try found.principal.requireRead(file.repository, of: file.path.name)
        return (.token(holder.subject, asOf: found.position), holder.expires)
    }
}
