"""A site's own PyTorch code: fits a small network to the site's points. Consilium starts it; see fit-curve.ts."""
from consilium_client import connect

site = connect()
import torch  # noqa: E402  (after connect, so that nothing it prints comes between the frames)

net = torch.nn.Sequential(torch.nn.Linear(1, 16), torch.nn.Tanh(), torch.nn.Linear(16, 1))
optimiser = torch.optim.SGD(net.parameters(), lr=0.1)
low, high = site.config  # this site sees only its part of the curve
x = torch.linspace(low, high, 64)[:, None]
y = torch.sin(3 * x)


def loss():
    return torch.nn.functional.mse_loss(net(x), y)


for task in site.tasks():
    net.load_state_dict(task.torch())
    if task.kind == "validate":
        task.reply(metrics={"val_loss": loss().item()})
        continue
    for step in range(50):
        optimiser.zero_grad()
        value = loss()
        value.backward()
        optimiser.step()
        task.progress(step + 1, 50, value.item())
    task.reply(weights=net.state_dict(), metrics={"train_loss": value.item()}, steps=50)
