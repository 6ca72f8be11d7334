import Registry

extension OriginSlices {
    /// Asks a repository's upstreams from a command, with the credentials that they want.
    ///
    /// - Throws: if one has a credential and the secret that opens it is not here; nobody was asked then.
    func withUpstreamDesk<Answer>(
        for repository: Repository, _ config: OriginConfig, _ body: (UpstreamDesk) async throws -> Answer
    ) async throws -> Answer {
        let isSealed = try await upstreams.list(of: repository).contains { $0.sealedCredential != nil }
        let desk = UpstreamDesk(
            store: upstreams, seal: isSealed ? try await openedSeal(config) : nil, logger: DatabaseOptions.logger)
        do {
            let answer = try await body(desk)
            try await desk.close()
            return answer
        } catch {
            // What went wrong counts, not how the connections ended.
            try? await desk.close()
            throw error
        }
    }

    /// - Throws: if the keys in use can't be opened with this machine's secret: no origin could open what it seals either.
    func openedSeal(_ config: OriginConfig) async throws -> KeySeal {
        let seal = try SigningSecret.find(config)
        try await signingKeys.checkSecret(seal)
        return seal
    }
}
