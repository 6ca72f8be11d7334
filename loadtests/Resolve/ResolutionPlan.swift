import Registry
import Synchronization

/// Where a resolution stands after some answers, and what it asks next.
///
/// The same answers lead to the same place, so what was thought once is not thought again: a session on a registry that
/// does not change costs no resolver.
final class ResolutionPlan: Sendable {
    /// Of one place; a registry that changes all the time does not fill the memory.
    static let followingMax = 64

    let step: CargoModel.Step
    private let model: CargoModel
    private let files: [IndexPath: IndexContents]
    private let following = Mutex<[[IndexLibrary.ContentID]: ResolutionPlan]>([:])

    convenience init(_ model: CargoModel) { self.init(model, [:]) }

    private init(_ model: CargoModel, _ files: [IndexPath: IndexContents]) {
        var model = model
        step = model.next(knowing: files)
        self.model = model
        self.files = files
    }

    /// - Parameter answers: to the files that `step` asks for, in its order.
    func after(_ answers: [IndexLibrary.ContentID], _ library: IndexLibrary) -> ResolutionPlan {
        if let known = following.withLock({ $0[answers] }) { return known }
        guard case .ask(let paths) = step else { preconditionFailure("only a question has answers") }
        var files = files
        for (path, answer) in zip(paths, answers) { files[path] = library.contents(answer) }
        let next = ResolutionPlan(model, files)
        following.withLock { following in
            if following.count >= Self.followingMax { following = [:] }
            following[answers] = next
        }
        return next
    }
}

/// What a session resolves.
struct Application: Sendable {
    let name: String
    let plan: ResolutionPlan

    init(name: String, _ model: CargoModel) {
        self.name = name
        plan = ResolutionPlan(model)
    }
}
