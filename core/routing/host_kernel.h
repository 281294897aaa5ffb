// Where operations end up: a kernel, real or made up.
//
// What plans (the planners, VpcCniHost) does not know which. StateKernel keeps the state that the
// operations lead to and nothing else; it is the simulated node's kernel, and what a real one is
// compared with.
#ifndef CNISIM_CORE_ROUTING_HOST_KERNEL_H_
#define CNISIM_CORE_ROUTING_HOST_KERNEL_H_

#include <span>
#include <utility>

#include "core/ports/result.h"
#include "core/routing/host_state.h"
#include "core/routing/operation.h"

namespace cnisim {

class HostKernel {
 public:
  virtual ~HostKernel() = default;
  // In this order; stops at the first that fails. Errors: those of Apply, and the kernel's own.
  virtual Status Execute(std::span<const Operation> operations) = 0;
  // What all operations so far have led to.
  virtual const HostState& state() const = 0;
};

class StateKernel final : public HostKernel {
 public:
  explicit StateKernel(HostState state = NewHostState()) : state_(std::move(state)) {}

  Status Execute(std::span<const Operation> operations) override {
    return Apply(operations, state_);
  }
  const HostState& state() const override { return state_; }

 private:
  HostState state_;
};

}  // namespace cnisim

#endif  // CNISIM_CORE_ROUTING_HOST_KERNEL_H_
