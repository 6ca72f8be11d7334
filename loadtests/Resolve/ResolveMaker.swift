import NIOCore

/// Cargos that resolve: each session draws one of the applications.
struct ResolveMaker: SessionMaker {
    let place: RegistryPlace
    let home: CargoHome
    let library: IndexLibrary
    let applications: [Application]

    func session(
        user: Int, number: Int, intended: NIODeadline, random: inout SeededRandom
    ) async -> SessionRecord {
        let application = applications[Int(random.next() % UInt64(applications.count))]
        return await resolve(application, intended: intended, random: random)
    }

    /// Every application once, uncounted: warm homes have been here before, and what resolving asks is then known.
    ///
    /// - Throws: `BenchFailure` if one does not come to its end.
    func learn() async throws(BenchFailure) {
        for application in applications {
            let record = await resolve(application, intended: .now(), random: SeededRandom(seed: 1))
            if record.hasFailed {
                throw BenchFailure(
                    "\(application.name) can't be resolved at \(place.target.authority)\(place.path): "
                        + WarmUpFailure(record.errors).text)
            }
        }
    }

    private func resolve(
        _ application: Application, intended: NIODeadline, random: SeededRandom
    ) async -> SessionRecord {
        do {
            var session = try ResolveSession(
                place, home, library, application, intended: intended, random: random)
            return await session.run()
        } catch {
            var record = SessionRecord(
                kind: .resolution, name: application.name, intended: intended, began: intended, ended: .now())
            record.errors["\(error)"] = 1
            record.hasFailed = true
            return record
        }
    }
}
