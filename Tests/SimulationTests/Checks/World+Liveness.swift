@testable import Edge

/// When nothing goes wrong any more, every edge becomes fresh and equal to the database.
extension World {
    /// The lease time, in which a dead connection is noticed, and the longest pauses before the next tries.
    static let recoveryTimeMax = 15_000_000

    func endOfRound() {
        calmDown()
        run(until: now + Self.recoveryTimeMax)
        for edge in edges where violation == nil { checkIsLive(edge) }
        let before = answers
        for edge in edges {
            // One after the other: an edge that may not ask much at once refuses what is too much.
            for number in 0..<cast.filesCount {
                after(number * 150_000) { [unowned self] in askForTruth(edge, number) }
            }
        }
        let asked = edges.count * cast.filesCount
        run(until: now + 8_000_000)
        if violation == nil, answers - before < asked {
            fail(
                .liveness, "\(asked - (answers - before)) of \(asked) questions have no answer after 8 s",
                at: nil)
        }
    }

    private func checkIsLive(_ edge: SimEdge) {
        guard edge.isFresh, edge.ghost.applied == database.head else {
            return fail(
                .liveness,
                "\(edge.name) stands at \(edge.ghost.applied) of \(database.head), fresh: \(edge.isFresh), "
                    + "\(Trace.seconds(Self.recoveryTimeMax)) after the last fault", at: edge)
        }
    }

    private func askForTruth(_ edge: SimEdge, _ number: Int) {
        let token = number % 3 == 0 ? nil : cast.firstToken + number % Cast.tokens
        ask(edge, number, token: token, witness: 0) { [unowned self] answer in
            let expected = expectedAnswer(number, token)
            let isRight =
                switch (answer, expected) {
                case (.shown(let fact, _), .shown(let other, _)): fact == other
                case (.notFound, .notFound): true
                default: answer == expected
                }
            if !isRight {
                fail(
                    .liveness, "\(edge.name) answers \(answer) where the database says \(expected)", at: edge,
                    key: number)
            }
        }
    }

    private func expectedAnswer(_ number: Int, _ token: Int?) -> ClientRequest.Answer {
        let repository = cast[number].repository
        let isPrivate =
            repository == 1 || (repository == 2 && truth.now(cast.visibility).state == .isPrivate(true))
        if isPrivate {
            guard let token, case .token(let reads) = truth.now(token).state else { return .challenge }
            guard reads.contains(repository) else { return .forbidden }
        }
        let fact = truth.now(number)
        return fact.state == .absent ? .notFound(.miss) : .shown(fact: fact.id, .miss)
    }
}
