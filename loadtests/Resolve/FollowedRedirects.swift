/// Index files that lie elsewhere: each is asked for where its answer says, and again the next time, as cargo remembers no
/// redirect. Connections to those servers last as long as the session.
struct FollowedRedirects {
    private struct Hop {
        /// Of the request among those of its round.
        let number: Int
        let target: WireTarget
        let request: WireRequest
    }

    private var clients: [WireTarget: PatientClient] = [:]

    /// Puts what came in the end in the place of each redirect; what still is one after `WireRedirect.hopsMax` stays.
    ///
    /// - Returns: what happened on the way.
    mutating func follow(
        _ outcomes: inout [WireOutcome], of requests: [WireRequest], from place: RegistryPlace,
        _ random: inout SeededRandom
    ) async -> PatientClient.Tally {
        var tally = PatientClient.Tally()
        var hops = zip(outcomes, requests).enumerated().compactMap { number, asked in
            Self.hop(number, asked.1, asked.0, from: place.target, place)
        }
        for _ in 0..<WireRedirect.hopsMax where !hops.isEmpty {
            var next: [Hop] = []
            for (target, group) in Dictionary(grouping: hops, by: \.target) {
                guard let client = client(for: target, place) else {
                    tally.errors["no TLS for \(target.authority)", default: 0] += group.count
                    continue
                }
                let (answers, one) = await client.ask(group.map(\.request), &random)
                tally.add(one)
                for (hop, outcome) in zip(group, answers) {
                    outcomes[hop.number] = outcome
                    if let again = Self.hop(hop.number, hop.request, outcome, from: target, place) {
                        next.append(again)
                    }
                }
            }
            hops = next
        }
        return tally
    }

    /// - Returns: how many connections there were.
    mutating func close() async -> Int {
        var opened = 0
        for client in clients.values {
            opened += client.wire.connectionsOpened
            await client.wire.close()
        }
        clients = [:]
        return opened
    }

    /// Another server gets no token, as libcurl has it.
    private static func hop(
        _ number: Int, _ request: WireRequest, _ outcome: WireOutcome, from target: WireTarget, _ place: RegistryPlace
    ) -> Hop? {
        guard let redirect = WireRedirect(outcome, from: target, speech: place.speech) else { return nil }
        var request = request
        request.path = redirect.path
        if redirect.target != place.target { request.fields.removeAll { $0.name == "authorization" } }
        return Hop(number: number, target: redirect.target, request: request)
    }

    private mutating func client(for target: WireTarget, _ place: RegistryPlace) -> PatientClient? {
        if let client = clients[target] { return client }
        let made = try? place.client(for: target)
        clients[target] = made
        return made
    }
}
