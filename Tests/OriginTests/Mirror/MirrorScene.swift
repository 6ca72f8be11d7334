import Foundation
import NIOCore
import Registry
import TestSupport
import Testing

@testable import Origin

/// An origin that reads through to a scripted registry, and mirrors it.
struct MirrorScene: Sendable {
    let origin: TestOrigin
    let upstream: ScriptedUpstream
    let repository: Repository
    let blobs: DiskBlobs

    static func with(_ body: @Sendable @escaping (MirrorScene) async throws -> Void) async throws {
        try await ScriptedUpstream.with { upstream in
            try await TestOrigin.with { origin in
                let made = try await origin.repository("main")
                try await origin.slices.upstreams.add(
                    .init(
                        name: RepositoryName("up"), index: try #require(UpstreamIndex("sparse+" + upstream.url)),
                        freshSeconds: 86_400, privateAllowed: true), to: made, by: .commandLine)
                let blobs = try await DiskBlobs(folder: origin.dataFolder + "/blobs", logger: .test)
                try await body(
                    MirrorScene(
                        origin: origin, upstream: upstream,
                        repository: origin.slices.repositories.require(made.name), blobs: blobs))
            }
        }
    }

    /// As crates.io has it: dependencies without a registry.
    func offer(_ made: MadeCrate) throws {
        let line = try ImportScene.line(of: made, made.crate())
        try upstream.offer(made, line: (line.withCratesIOInside ?? line).json)
    }

    func publish(_ made: MadeCrate) async throws {
        let token = try await origin.token("ann", [.publishNew, .publishUpdate])
        let answer = try await httpCall(
            "PUT", origin.url + "/main/api/v1/crates/new", headers: [("authorization", token)],
            body: .init(bytes: try made.publishBody()))
        #expect(answer.status == 200, "\(answer.text)")
    }

    /// - Returns: what was done, and what was said of missing ones.
    func mirror(
        _ wants: [(String, MirrorWant)], followsDependencies: Bool = false, takesOptional: Bool = true
    ) async throws -> (tally: MirrorReport.Tally, missing: [String]) {
        let missing = Collected<String>()
        let report = MirrorReport { missing.add($0) }
        var plan = MirrorPlan()
        for (name, want) in wants { plan.add(try CrateName(name), want) }
        try await Mirrorer(
            repository: repository, desk: origin.slices.upstreamDesk,
            stored: StoredCrates(pool: origin.slices.pool), blobs: blobs, report: report,
            followsDependencies: followsDependencies, takesOptional: takesOptional, pauses: []
        ).run(plan)
        return (report.current, missing.all.sorted())
    }
}
